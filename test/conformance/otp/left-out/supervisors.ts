/** Cases of section S5 that cannot apply to this runtime, each with the reason. */
const UPGRADE =
  "Replacing the code and the specification of a running process is the BEAM's hot upgrade. Here a specification is a " +
  'value that holds as long as its supervisor; a new one comes with a restart';
const MODULES =
  'Erlang and Elixir find a specification by the name of a module. Here a specification is a value, made by a function that is called';

export const s5: Readonly<Record<string, string>> = {
  'S5-008':
    "The list of modules tells the BEAM's release handler whose code to load; there is none here, and the field would be an unknown one.",
  'S5-017': "There is one form of a specification, an object: the tuples of Erlang's older form do not exist.",
  'S5-024': `${MODULES}; to override a field of it is to spread it.`,
  'S5-026': `${MODULES}; there is no macro that writes it.`,
  'S5-037':
    'The third element that an Erlang start function may return is for whoever called it. Here nothing returns: a start is a ' +
    'state that the child enters, and what it has to tell is in its state or asked of it.',
  'S5-112':
    'Erlang tells the module behind a supervisor for its release handler; here every supervisor is the same machine, and its ' +
    'tables are its own.',
  'S5-130': `${UPGRADE}.`,
  'S5-131': `${UPGRADE}.`,
  'S5-132': `${UPGRADE}.`,
  'S5-133': `${UPGRADE}.`,
};
