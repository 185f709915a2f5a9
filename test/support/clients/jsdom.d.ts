/** What tests use of jsdom. Its own types bring all those of browsers, which clash with those of Node. */
declare module 'jsdom' {
  export class JSDOM {
    constructor(html: string, options: { readonly url: string; readonly pretendToBeVisual: boolean });
    readonly window: { readonly document: { readonly hidden: boolean; readonly body: Element & { readonly textContent: string } } };
  }
}
