/** PartTexts: parts of definitions that never change, and that thousands of these have in common: each is put into words once. */
export class PartTexts<Part extends object> {
  private readonly texts = new WeakMap<Part, string>();

  constructor(private readonly inWords: (part: Part) => string) {}

  of(part: Part): string {
    const known = this.texts.get(part);
    if (known !== undefined) return known;
    const text = this.inWords(part);
    this.texts.set(part, text);
    return text;
  }
}
