/** SearchBox: what a list is searched for; told with every letter. */
interface SearchBoxProps {
  readonly text: string;
  readonly hint: string;
  readonly change: (text: string) => void;
}

export function SearchBox({ text, hint, change }: SearchBoxProps) {
  return (
    <label>Search <input type="search" value={text} placeholder={hint} onInput={(event) => change(event.currentTarget.value)} /></label>
  );
}
