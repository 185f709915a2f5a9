/** Cases of section S4 that cannot apply to this runtime, each with the reason. */
export const s4: Readonly<Record<string, string>> = {};
