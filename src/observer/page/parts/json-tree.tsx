/** JsonTree: an answer as it came, folded beyond its first levels: for what has no view of its own. */
interface JsonTreeProps {
  readonly value: unknown;
  readonly depth?: number;
}

const OPEN_DEPTH = 2;

export function JsonTree({ value, depth = 0 }: JsonTreeProps) {
  if (typeof value === 'string') return <code class="wrap">{value}</code>;
  if (typeof value !== 'object' || value === null) return <code>{JSON.stringify(value)}</code>;
  const entries = Object.entries(value);
  if (entries.length === 0) return <code>{Array.isArray(value) ? 'none' : '{}'}</code>;
  return (
    <ul class="json">
      {entries.map(([name, inner]) => (
        <li key={name}><Entry name={Array.isArray(value) ? `${Number(name) + 1}.` : name} value={inner} depth={depth} /></li>
      ))}
    </ul>
  );
}

function Entry({ name, value, depth }: { readonly name: string; readonly value: unknown; readonly depth: number }) {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return <><span class="faint">{name}</span> <JsonTree value={value} /></>;
  }
  return (
    <details open={depth < OPEN_DEPTH}>
      <summary>{name}</summary>
      <JsonTree value={value} depth={depth + 1} />
    </details>
  );
}
