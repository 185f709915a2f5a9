/** Cases of section S2 that cannot apply to this runtime, each with the reason. */
export const s2: Readonly<Record<string, string>> = {};
