/** LaterAnswer: the answer to a long-poll that waits. Whoever waits for it holds nothing else meanwhile. */
import type { WaitingPoll } from '../api/waiting-poll.ts';
import type { ShapeResponse } from '../api/shape-response.ts';
import { andThen, type NowOrLater } from '../base/now-or-later.ts';
import type { HttpAnswer } from './send-response.ts';

type Told = HttpAnswer | undefined;

export class LaterAnswer {
  /** @param answerOf what becomes of the response. */
  constructor(
    private readonly poll: WaitingPoll,
    private readonly answerOf: (response: ShapeResponse) => Told,
  ) {}

  /** As it is told to who went through a gate. */
  told(tell: (answer: HttpAnswer) => HttpAnswer): LaterAnswer {
    const { poll, answerOf } = this;
    return new LaterAnswer(poll, (response) => {
      const answer = answerOf(response);
      return answer && tell(answer);
    });
  }

  /** @param take given what makes the answer, once; undefined when nobody waits for it. Must not throw: others are woken behind it. */
  whenGiven(take: (answer: () => NowOrLater<Told>) => void): void {
    const { poll, answerOf } = this;
    poll.whenAnswered((response) => take(() => andThen(response, answerOf)));
  }
}
