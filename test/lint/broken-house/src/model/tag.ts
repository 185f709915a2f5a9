export type Tag = string;
