/** Cases of section S1 that cannot apply to this runtime, each with the reason. */
const ALIAS =
  'Aliases are addresses that a BEAM process gives out and takes back. Here only a call carries a reference, and it takes one reply';
const OPTIONS = 'Erlang reads options from a list at run time; here they are fields of a typed parameter, and the compiler refuses others';

export const s1: Readonly<Record<string, string>> = {
  'S1-031':
    'Whether a process traps exits is said in its specification and holds from its first event to its end: it cannot be ' +
    'turned on too late.',
  'S1-047': `${ALIAS}; there is nothing else to demonitor.`,
  'S1-048': `${OPTIONS}.`,
  'S1-049':
    'Erlang monitors ports and the time offset beside processes; here everything that can be monitored is a process, named by an address.',
  'S1-060': `${ALIAS}: several messages cannot pass through it.`,
  'S1-061': `${ALIAS}: it does not outlive its call.`,
  'S1-066': `${ALIAS}: a call to an unknown name fails as noproc, and nothing usable is left of it.`,
  'S1-068': `${ALIAS}. It does not name a monitor: those are taken back by the address and the word of their making.`,
  'S1-070': 'The process dictionary is hidden mutable state of a BEAM process; what a machine keeps stands in its context and its tables.',
};
