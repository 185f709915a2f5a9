/** What is written of a part of a state: the states of a search share their parts, so that each part need be written only once. */
export function writtenOnce<Part extends object>(write: (part: Part) => string): (part: Part) => string {
  const texts = new WeakMap<Part, string>();
  return (part) => {
    const known = texts.get(part);
    if (known !== undefined) return known;
    const text = write(part);
    texts.set(part, text);
    return text;
  };
}
