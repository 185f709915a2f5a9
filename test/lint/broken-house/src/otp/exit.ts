export type Exit = string;
