/** What makes the lines of a shape is there while its Consumer is awake, and the lines are the same whenever it is made. */
import { expect, test } from 'vitest';
import { Change } from '../../../src/model/change.ts';
import { LinesOnDemand } from '../../../src/service/wiring/lines-on-demand.ts';
import { ShapeFilters } from '../../../src/service/wiring/shape-filters.ts';
import { logAccess } from '../../../src/service/wiring/storage.ts';
import { loadWhereLanguage } from '../../../src/sql/where-language.ts';
import type { Where } from '../../../src/sql/where.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { transactionOf, type RowChange } from '../../support/actors/changes.ts';
import { handleOf, itemsLayout, shapeOf, whereOf } from '../../support/shapes.ts';

const language = await loadWhereLanguage();
const WISH = { where: { column: 'title', equals: 'a' } };

/** How often somebody asked for a filter. */
class CountedFilters extends ShapeFilters {
  asked = 0;

  override of(): Where | undefined {
    this.asked += 1;
    return whereOf(WISH);
  }
}

/** The lines that come of one change, as text. */
function told(lines: LinesOnDemand, change: RowChange): readonly string[] {
  const transaction = transactionOf({ xid: 7, lsn: '100' }, [change]);
  const converted = lines.convert(transaction, transaction.fragments.map((fragment) => new Change(fragment, 0)));
  return converted.outcome === 'lines' ? Array.from(converted.lines, ({ bytes }) => Buffer.from(bytes).toString()) : [converted.outcome];
}

test.each([
  ['with a subquery let go of when its Consumer hibernates, and made again for the next', { dependencies: [] }, [0, 1, 2]],
  ['without a subquery kept', {}, [0, 1, 1]],
])('it is made for the first line, and of a shape %s', (what, depending, times) => {
  const storage = memoryStorage({});
  const { id: _, ...layout } = itemsLayout;
  storage.log.appendLayout(layout);
  const filters = new CountedFilters(language);
  const shapeLog = storage.shapes.create(handleOf(1), { ...shapeOf(WISH), ...depending });
  const lines = new LinesOnDemand(shapeLog, { ...logAccess({ storage, language }), filters });
  const asked = [filters.asked];
  const seen = [false, true].map((rests) => {
    if (rests) lines.hibernate();
    const both = ['a', 'b'].map((title) => told(lines, { kind: 'insert', new: ['1', title, null] }).length);
    const line = told(lines, { kind: 'insert', new: ['1', 'a', null] });
    asked.push(filters.asked);
    return { both, line };
  });

  expect({ what, asked, both: seen[0]?.both, again: seen[1] }).toEqual({ what, asked: times, both: [1, 0], again: seen[0] });
});
