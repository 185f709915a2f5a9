/**
 * Question: what a step wants to know of a state before it goes on, and Write: what it does to it. Both as integers.
 *
 * All that a step does follows from the answers to its questions, so questions are about as little as possible: whoever sends to
 * a process asks whether it lives, and not for all of its local state.
 */
/** Of a place in the vector: the number of the part there. */
export const PART = 0;
/** Of a role: the number of who it is, and whether it lives. */
export const IDENTITY = 1;
/** Of a place and an address: the signal that comes next from there. */
export const HEAD = 2;
/** Of a role: the ids of its calls that anything names, as bits. */
export const NAMED = 3;
/** Of a call's id: whether it is open. */
export const OPEN = 4;
/** Of a role and an address: the number of what in the role's ledger concerns that process. */
export const TOWARD = 5;
/** Of a role: the number of the address from which it takes what comes next at once; -1 where there is none. */
export const AT_ONCE = 6;

const KIND_BITS = 3;
const ADDRESS_BITS = 12;
/** A question names one of them. */
export const ADDRESSES_MAX = 1 << ADDRESS_BITS;

export function question(kind: number, about: number, address = 0): number {
  return ((about << ADDRESS_BITS) | address) << KIND_BITS | kind;
}

export function kindOf(asked: number): number {
  return asked & ((1 << KIND_BITS) - 1);
}

export function aboutOf(asked: number): number {
  return asked >> (ADDRESS_BITS + KIND_BITS);
}

export function addressOf(asked: number): number {
  return (asked >> KIND_BITS) & (ADDRESSES_MAX - 1);
}

/** A part of the vector, exchanged. */
export const SET = 0;
/** A place and a post. */
export const APPEND = 1;
/** A place and an address: the first signal from there. */
export const TAKE = 2;
/** A place and the id of a call: what is under way on its account. */
export const FORGET = 3;
/** A role that took or was sent something. */
export const TOUCH = 4;
