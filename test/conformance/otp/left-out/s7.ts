/** Cases of section S7 that cannot apply to this runtime, each with the reason. */
export const s7: Readonly<Record<string, string>> = {};
