/** Whether an error is a mistake of ours. All others are the world's, and say by their name what happened. */

/** Names of errors that only a mistake of ours can raise: where they came from is what a report needs. */
const OUR_FAULTS: ReadonlySet<string> = new Set([
  'InvariantError', 'TypeError', 'RangeError', 'ReferenceError', 'SyntaxError',
  'UnhandledEventError', 'UnknownRequestError', 'MailboxOverflowError',
]);

export function isOurFault({ name }: { readonly name: string }): boolean {
  return OUR_FAULTS.has(name);
}
