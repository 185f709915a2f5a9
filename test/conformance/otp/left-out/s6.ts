/** Cases of section S6 that cannot apply to this runtime, each with the reason. */
export const s6: Readonly<Record<string, string>> = {};
