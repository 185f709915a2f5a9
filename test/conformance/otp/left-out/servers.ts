/** Cases of section S2 that cannot apply to this runtime, each with the reason. */
export const s2: Readonly<Record<string, string>> = {
  'S2-020':
    'A call to a node that is not there needs distributed Erlang; a runtime here is one process of the operating system, and ' +
    'who is not in it is noproc.',
  'S2-051':
    'Erlang exchanges the code of a running process and converts its state; here new code is a new incarnation, started by a supervisor.',
};
