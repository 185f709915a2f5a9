/**
 * Line format: what stands between the values of a line, in the order in which it stands there. The writer puts it, the
 * reader wants it, and neither knows it by itself.
 *
 * ```
 * {"key":"…","value":{…}[,"old_value":{…}],"headers":{"operation":"…","relation":["…","…"]
 *   [,"key_change_to":"…" | ,"key_change_from":"…"][,"is_move_in":true]
 *   [,"tags":["…",…][,"removed_tags":["…",…]],"active_conditions":[true,…]]
 *   [,"txids":[…][,"lsn":"…","op_position":…][,"last":true]]}}
 * ```
 * A row of the snapshot, or of a splice, has no transaction of its own. Where no events tell what moved, the last row of a splice names
 * the transactions that moved it and is marked as the last: whoever follows the rows knows by that which belong together. An update of a
 * key is a delete and an insert, each of which names the other. Only shapes with subqueries have tags; only an update tells which ones it
 * took away, also when that is none.
 */
export const LINE = {
  start: '{"key":"',
  /** How an event or a control begins: a message that tells no row. */
  startOfOthers: '{"headers":{',
  value: '","value":',
  oldValue: ',"old_value":',
  headers: ',"headers":{"operation":"',
  relation: '","relation":',
  keyChangeTo: ',"key_change_to":"',
  keyChangeFrom: ',"key_change_from":"',
  isMoveIn: ',"is_move_in":true',
  tags: ',"tags":[',
  removedTags: '],"removed_tags":[',
  activeConditions: '],"active_conditions":[',
  activeConditionsEnd: ']',
  xids: ',"txids":[',
  xidsEnd: ']',
  lsn: ',"lsn":"',
  opPosition: '","op_position":',
  last: ',"last":true',
  end: '}}',
} as const;

/** Behind each row that the query of a splice brought, until it is a line of the log: JSON has no line feed of its own. */
export const ROW_END = 0x0a;

export const OPERATIONS = ['insert', 'update', 'delete'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** The name of a column, as it stands before its value. */
export function columnLabel(name: string): string {
  return `${JSON.stringify(name)}:`;
}
