/** Cases of section S1 that cannot apply to this runtime, each with the reason. */
export const s1: Readonly<Record<string, string>> = {};
