/** Cases of section S3 that cannot apply to this runtime, each with the reason. */
export const s3: Readonly<Record<string, string>> = {};
