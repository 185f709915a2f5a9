/** Verdict: why a row is in a shape, or is not, in one word that stays the same and one sentence. Nothing in it is guessed. */
export interface Verdict {
  readonly code: VerdictCode;
  readonly message: string;
}

export type VerdictCode = keyof typeof MESSAGES;

const MESSAGES = {
  in_shape: 'The row is in the shape.',
  hidden: 'The shape has a commit that Postgres does not show yet: it waits for a standby.',
  filtered_out: 'The filter is not true for the row.',
  filter_failed: 'The filter has an error in the row. A shape that meets it ends.',
  moved_out: 'The row has left the shape with what a subquery selects.',
  deleted: 'The row was in the shape, and has been deleted.',
  never_there: 'There is no such row, and as far back as was looked the shape never had one.',
  not_yet: 'The shape has not come as far as Postgres, and what it has yet to take decides. Ask again.',
  not_told: 'The filter takes the row, and it has not changed since the log began: a log of changes only does not tell it.',
  unknown_value: 'What the subqueries of the filter select is not known now: ask again.',
  undecided: 'It cannot be said at this moment: the row or the shape is changing. Ask again.',
  shape_gone: 'The shape has ended.',
  no_shape: 'Nobody has asked for this shape: there is none that could have the row. The filter says whether it would.',
  would_be_in: 'The filter takes the row.',
} as const;

export function verdict(code: VerdictCode): Verdict {
  return { code, message: MESSAGES[code] };
}

/** Of a row of the database, for a shape that there is. */
export interface Known {
  /** Whether Postgres shows the row, and what the filter says of it; undefined for no row. */
  readonly taken: 'taken' | 'left out' | 'error' | undefined;
  /** By its log; undefined where that may stand further back than was looked. */
  readonly isIn: boolean | undefined;
  /** The log tells of it. */
  readonly wasTold: boolean;
  /** It left by a move: by an event, or by a delete though it is still there. */
  readonly hasMoved: boolean;
  /** The shape holds what Postgres had logged when the row was read. */
  readonly hasPassed: boolean;
  /** What its subqueries select may have moved since, and the shape has yet to hear of it: `taken` is by what it knows. */
  readonly isByOldView: boolean;
  /** It held more by then than Postgres showed. */
  readonly isAhead: boolean;
  /** A log of changes only. */
  readonly hasNoFirstRows: boolean;
}

export function verdictOf(known: Known): Verdict {
  const { taken, isIn, wasTold, hasMoved, hasPassed, isByOldView, isAhead, hasNoFirstRows } = known;
  const differs = verdict(isAhead ? 'hidden' : hasPassed ? 'undecided' : 'not_yet');
  if (taken === 'error') return verdict('filter_failed');
  if (isIn === undefined && !hasPassed) return verdict('undecided'); // What lies too far back may be told anew by what is to come.
  if (taken === 'taken') {
    if (isIn === true || (isIn === undefined && hasPassed && !hasNoFirstRows)) return verdict('in_shape');
    if (hasNoFirstRows && !wasTold) return verdict('not_told');
    return differs;
  }
  if (isIn === true) return differs;
  if (taken === 'left out' && isByOldView) return verdict('not_yet');
  if (taken === 'left out') return verdict(wasTold && hasMoved ? 'moved_out' : 'filtered_out');
  return verdict(wasTold ? 'deleted' : 'never_there');
}
