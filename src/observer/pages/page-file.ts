/** A file of the page, as it is shipped. */
export interface PageFile {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}
