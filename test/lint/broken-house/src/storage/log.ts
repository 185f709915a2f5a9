export interface Log { end: string }
