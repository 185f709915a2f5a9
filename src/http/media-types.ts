/** Of all bodies but event streams, and the text of a path that nobody knows. */
export const JSON_TYPE = 'application/json; charset=utf-8';
