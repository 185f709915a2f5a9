/** Cases of section S3 that cannot apply to this runtime, each with the reason. */
export const s3: Readonly<Record<string, string>> = {
  'S3-026':
    'A plain number among the actions is a shorthand of Erlang’s return values; actions have names here, and `startTimer` is ' +
    'the one way to set a time-out.',
  'S3-036':
    'Erlang exchanges the code of a running process; here new code is a new incarnation. That the way of writing the states ' +
    'makes no difference is tested under S3-002.',
};
