/** Why a server cannot listen; the message says what to do. */

/** Somebody else listens there: nothing was opened. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** We may not listen there, or the address is not one of this machine's: nothing was opened. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}
