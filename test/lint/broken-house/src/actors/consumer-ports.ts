export interface Request { type: string }
