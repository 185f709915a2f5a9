/** One hand at a time: who wants to do something to what another one works on waits for its turn. */
export class Turns {
  private last: Promise<unknown> = Promise.resolve();

  /** Resolves with what `action` gives, once those before it have ended, well or not. */
  take<Result>(action: () => Promise<Result>): Promise<Result> {
    const turn = this.last.then(action);
    this.last = turn.catch(() => {}); // Its own taker hears of that.
    return turn;
  }
}
