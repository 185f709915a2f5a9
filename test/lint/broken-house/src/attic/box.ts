export const box = 'a room without a floor';
