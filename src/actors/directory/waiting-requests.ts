/** WaitingRequests: who waits for the Consumer of a shape to start, by the shape's handle. Each is answered once. */
import type { Handle } from '../../model/shape.ts';
import type { ReplyTo } from '../../otp/process.ts';

export class WaitingRequests {
  private readonly waiting = new Map<Handle, ReplyTo[]>();

  add(handle: Handle, replyTo: ReplyTo): void {
    const waiting = this.waiting.get(handle);
    if (waiting === undefined) this.waiting.set(handle, [replyTo]);
    else waiting.push(replyTo);
  }

  /** Whoever takes them answers them. */
  take(handle: Handle): readonly ReplyTo[] {
    const replies = this.waiting.get(handle) ?? [];
    this.waiting.delete(handle);
    return replies;
  }

  has(handle: Handle): boolean {
    return this.waiting.has(handle);
  }

  clone(): WaitingRequests {
    const copy = new WaitingRequests();
    for (const [handle, replies] of this.waiting) copy.waiting.set(handle, [...replies]);
    return copy;
  }

  key(): readonly unknown[] {
    return [...this.waiting];
  }
}
