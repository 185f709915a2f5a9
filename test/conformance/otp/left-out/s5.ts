/** Cases of section S5 that cannot apply to this runtime, each with the reason. */
export const s5: Readonly<Record<string, string>> = {};
