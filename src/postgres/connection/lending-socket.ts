/**
 * LendingSocket: a socket that reads into the same memory each time. A stream of changes is hundreds of megabytes, and new memory for each
 * read has the collector of garbage look through everything there is, again and again, for what is of use for a moment.
 *
 * Whoever listens for `data` gets bytes of his own, unless he says that he takes them during the call alone.
 */
import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net';

const READ_BYTES = 64 * 1024;

export class LendingSocket extends Socket {
  /** While set, what is told holds during the call alone; where it pauses the socket, until that goes on. */
  lends = false;

  /** Yet to be connected. */
  static make(): LendingSocket {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const options: SocketConstructorOpts & ConnectOpts = {
      onread: { buffer, callback: (count) => socket.tell(buffer.subarray(0, count)) },
    };
    const socket: LendingSocket = new LendingSocket(options);
    return socket;
  }

  private tell(read: Buffer): true {
    this.emit('data', this.lends ? read : Buffer.from(read));
    return true; // Whoever wants no more pauses it.
  }
}
