/** Names and texts inside SQL. Values of users never come here: they are parameters. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteTable(table: { readonly schema: string; readonly name: string }): string {
  return `${quoteName(table.schema)}.${quoteName(table.name)}`;
}

/** For the replication commands, which take no parameters: names of our own configuration only. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
