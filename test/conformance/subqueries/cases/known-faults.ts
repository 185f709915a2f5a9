/** What is known to have gone wrong where one hands over to another, or could: each with what shows that it does not here. */
import type { Case, Held } from '../case.ts';

const races = (title: string): Held => ['races/hand-over.test.ts', title];
const reader = (title: string): Held => ['storage/shapes/shape-reader-port.test.ts', title];
const consumerLog = (title: string): Held => ['actors/consumer/consumer-log.test.ts', title];
const once = (title: string): Held => ['conformance/subqueries/once.test.ts', title];
const lines = (title: string): Held => ['actors/consumer/splice-lines.test.ts', title];
const service = (title: string): Held => ['service/dependent-shapes.test.ts', title];
const layers = (title: string): Held => ['races/layers.test.ts', title];
const consumer = (title: string): Held => ['actors/consumer/consumer.test.ts', title];
const spliceControls = (title: string): Held => ['explore/controls/splice-controls.ts', title];
const splices = (title: string): Held => ['explore/splices.test.ts', title];
const ends = (title: string): Held => ['actors/materializer-ends.test.ts', title];
const held = (says: string, ...heldBy: readonly Held[]): Case => ({ says, heldBy });

export const KNOWN_FAULTS: Readonly<Record<string, Case>> = {
  'F-01': held(
    'subscribed, and then all of the log is read: what lies between comes twice',
    races('history is read without an upper bound'),
    reader('history ends with the offset that was asked for, whatever lies behind it'),
  ),
  'F-02': held(
    'what is taken again after a restart is not left out on every way',
    consumerLog('what was taken before a restart is left out, also when the snapshot no longer filters'),
    ['service/nested-shapes.test.ts', 'after a restart all of them go on where they were'],
  ),
  'F-03': held(
    'history is walked by chunks into the log, and rows are read again',
    reader('a history of 20 MB comes in blocks of bounded size, each row once'),
    ['storage/shapes/entries.test.ts', 'any rows and lines: entries are in their places, and in runs there is the same'],
  ),
  'F-04': held(
    'a move brings a row that is there for another reason',
    once('a row that a plain condition has brought is not brought again by a move (%j)'),
    lines('rows that the shape has already do not come with a move, nor those that no view selects'),
  ),
  'F-05': held(
    'the first rows have what is told as a move later',
    service('what moves between the view of a shape and its first snapshot comes and goes once'),
    layers('the first snapshot is taken by what the subqueries select by then'),
  ),
  'F-06': held(
    'who subscribes inside a transaction is given an offset that cannot be read',
    consumer('a Materializer that subscribes inside a large transaction is given the end of the one before'),
    races('an offset is handed out before it can be read'),
    races('a dependant that begins inside a transaction which is read row by row ends with its values'),
  ),
  'F-07': held(
    'what a query saw is cut by position, though commits are seen in another order',
    lines('a transaction that hides from the query (%s) comes behind it, though one that is logged later was seen'),
    spliceControls('what a query saw is told by position'),
    ['service/hidden-moves.test.ts', 'children come with their parent, each once, when %s hides'],
  ),
  'F-08': held(
    'moves are made while what came before the first rows still waits',
    once('what moves and what is written while a shape waits for its first rows is told once, with these or behind them'),
    splices('%s: the log folds to what SELECT gives, and nobody hangs or crashes'),
  ),
  'F-09': held(
    'NULL has three meanings: for the query, for the rows of the stream, and for what is a member',
    [
      'sql/where-subqueries-postgres.test.ts',
      'a filter takes what Postgres takes: evaluated, by its terms and as a query; and a move is asked for whole',
    ],
    ['service/negated-subqueries.test.ts', 'NULL takes all rows, brings them back, and leaves values to move them'],
    spliceControls('that NULL comes is left to events'),
  ),
  'F-10': held(
    'an end in good order and an invalid one are told by one word, and a handle stays without a Consumer',
    ends('a Consumer that ends by %s leaves it invalidated'),
    ['explore/orders.test.ts', '%s: a control in which %s is found by the property that it breaks, in all orders by as short a way'],
    spliceControls('a shape goes on when who keeps its values has drained'),
  ),
};
