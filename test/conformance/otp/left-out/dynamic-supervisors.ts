/** Cases of section S6 that cannot apply to this runtime, each with the reason. */
export const s6: Readonly<Record<string, string>> = {
  'S6-006':
    'Elixir takes a specification as a map, as a tuple, or as a module that makes one. Here a request names a template and ' +
    'gives arguments: that is the only form.',
  'S6-028':
    "New flags for a running supervisor are the BEAM's hot upgrade: here they hold as long as the supervisor, and a restart " +
    'brings new ones.',
};
