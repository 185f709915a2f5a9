/** The values of an inner shape: what is counted, what is told of a transaction, and how a Materializer begins. */
import type { Case, Held } from '../case.ts';

const values = (title: string): Held => ['actors/link-values.test.ts', title];
const middle = (title: string): Held => ['conformance/subqueries/middle-shapes.test.ts', title];
const handOver = (title: string): Held => ['explore/hand-over.test.ts', title];
const races = (title: string): Held => ['races/hand-over.test.ts', title];
const ends = (title: string): Held => ['actors/materializer-ends.test.ts', title];
/** Each case is taken once more by one who comes later. */
const IN_HISTORY = middle('%s; as it is in the history of one who comes after each');
const held = (says: string, ...heldBy: readonly Held[]): Case => ({ says, heldBy });

export const MATERIALIZER: Readonly<Record<string, Case>> = {
  'M-01': held(
    'once its Consumer has answered it is ready',
    ['actors/materializer.test.ts', 'who asked while it read its history is served when it lives, one after the other'],
  ),
  'M-02': held('rows of an empty shape are its values', values('rows inserted into an empty shape')),
  'M-03': held(
    'a value that comes is told, as a value and as its text',
    values('rows inserted into an empty shape'),
    values('texts of one value are one value, which does not move when only the text changed; the first text is that for queries'),
  ),
  'M-04': held(
    'a move names its transaction',
    values('moves between two versions are net, sorted, and name all transactions that moved something, whatever the order of their xids'),
  ),
  'M-05': held(
    'parts of one end are one move, of all transactions in it',
    values('a transaction that comes in two blocks is no version before its end, and moves once'),
    ['shapes/line-reader.test.ts', 'of rows that moved together the last one says so, and by which transactions'],
  ),
  'M-06': held('a snapshot gives values and moves none', values('history makes values, no moves')),
  'M-07': held('an update moves one out and another in', values('an update moves one value out and another in')),
  'M-08': held('an update in history gives the new value alone', values('history that holds an update')),
  'M-09': held('the last row of a value takes it along', values('a delete moves the last row’s value out')),
  'M-10': held('a row that went in history leaves nothing', values('history that ends empty')),
  'M-11': held('another row with a value that is there', values('a second row with a value that is there')),
  'M-12': held('a row goes to a value that is there', values('an update to a value that is there')),
  'M-13': held('one of two rows leaves a value', values('an update away from a value that stays')),
  'M-14': held('a row goes between values that stay', values('an update between two values that stay')),
  'M-15': held('one of two rows is deleted', values('a delete of one of two rows')),
  'M-16': held('a third row of a value', values('a third row with the same value')),
  'M-17': held('a key that is there is not inserted', values('a row that is inserted twice is our bug, and said so')),
  'M-18': held('a key that is not there is not deleted', values('a row that was never inserted and is %s is our bug, and said so')),
  'M-19': held('a new key and a new value', values('a new key and a new value')),
  'M-20': held('a new key and the same value', values('a new key, the same value')),
  'M-21': held(
    'key, value and root change at once',
    middle('a new key, value and root: the root that it had takes nothing along any more, the one that it has does'),
    IN_HISTORY,
  ),
  'M-22': held(
    'a new key under the same root',
    middle('a new key and value under the same root go with that root, and the old key is not missed'),
    IN_HISTORY,
  ),
  'M-23': held(
    'nothing is told before the end',
    values('a transaction that comes in two blocks is no version before its end, and moves once'),
  ),
  'M-24': held('each transaction has moves of its own', values('two transactions, each with its own moves')),
  'M-25': held('in and out in one transaction', values('inserted and deleted in one transaction')),
  'M-26': held('away and back in one transaction', values('there and back in one transaction')),
  'M-27': held('in, out, in again', values('in, out, in again')),
  'M-28': held('one value cancels, another does not', values('one value cancelled, another not')),
  'M-29': held('out, in, out again', values('out, in, out again')),
  'M-30': held('in, away and back', values('in, away and back')),
  'M-31': held('other tags and the same value', middle('another root and the same value move nothing'), IN_HISTORY),
  'M-32': held('what a row hung on before goes', middle('a row that has gone to another root outlives the end of the first'), IN_HISTORY),
  'M-33': held('what a row hangs on now goes', middle('and leaves with the other'), IN_HISTORY),
  'M-34': held(
    'one of two rows has gone elsewhere before',
    middle('of two rows of one root only the one that stayed leaves with it'),
    IN_HISTORY,
  ),
  'M-35': held('a move takes all rows along that hang on it', middle('a root takes the values of all of its rows along, and no others')),
  'M-36': held('two moves at once', middle('two roots that end in one transaction take the values of both along')),
  'M-37': held('a move that concerns no row', middle('a root that has no rows moves nothing')),
  'M-38': held('a move takes one of two rows of a value', middle('a value stays that rows of another root have')),
  'M-39': held('rows of the snapshot go with a move', middle('a root takes the values of all of its rows along, and no others')),
  'M-40': held('of the snapshot, one of two rows of a value', middle('a value stays that rows of another root have')),
  'M-41': held('of the snapshot, rows that hang on one', middle('two roots that end in one transaction take the values of both along')),
  'M-42': held(
    'a move lies in the history that is read',
    middle('a root takes the values of all of its rows along, and no others'),
    IN_HISTORY,
  ),
  'M-43': held('a move in history takes one of two rows of a value', middle('a value stays that rows of another root have'), IN_HISTORY),
  'M-44': held(
    'rows that a splice brought are in history and go again',
    middle('rows that a root brought leave with it again'),
    IN_HISTORY,
  ),
  'M-45': held('no reason holds for a row', middle('a row for which no reason holds is not there'), IN_HISTORY),
  'M-46': held('one of two reasons holds', middle('one reason of two is enough for a row that is inserted'), IN_HISTORY),
  'M-47': held('a row comes by a move', middle('a row that was not there comes with the first reason that holds'), IN_HISTORY),
  'M-48': held(
    'one of two reasons goes',
    middle('a row that is there for two reasons stays for the second when the first goes'),
    IN_HISTORY,
  ),
  'M-49': held(
    'the only reason goes, which is the second',
    middle('a row that is there for its second reason alone goes with that'),
    IN_HISTORY,
  ),
  'M-50': held(
    'a second reason comes',
    middle('a second reason for a row that is there moves nothing, and holds it from then on'),
    IN_HISTORY,
  ),
  'M-51': held('one of two conditions holds', middle('one of two conditions is not enough'), IN_HISTORY),
  'M-52': held('the second condition comes', middle('the second of two conditions brings a row, and either takes it away'), IN_HISTORY),
  'M-53': held(
    'rows with reasons of their own',
    middle('of rows with two reasons each only those of the root that ends lose theirs'),
    IN_HISTORY,
  ),
  'M-54': held(
    'a row is in the log and told as well',
    handOver('%s: each change once, and nobody that hangs or crashes'),
    races('history is read without an upper bound'),
  ),
  'M-55': held(
    'snapshot and log up to the subscription',
    values('history that holds an update'),
    ['storage/shapes/shape-reader-port.test.ts', 'history ends with the offset that was asked for, whatever lies behind it'],
  ),
  'M-56': held(
    'history in many pieces, each once',
    ['storage/shapes/shape-reader-port.test.ts', 'a history of 20 MB comes in blocks of bounded size, each row once'],
    values('a chunk of the snapshot may come in several blocks, and the whole of it is the first version'),
  ),
  'M-57': held('no snapshot will come', ends('a snapshot that is given up leaves it invalidated')),
  'M-58': held(
    'its Consumer ends while the snapshot is waited for',
    ends('a Consumer that is told to end in good order (%s) leaves it stopped'),
    ends('a Consumer that ends by %s leaves it invalidated'),
  ),
  'M-59': held(
    'its Consumer ends while it subscribes',
    ends('a Consumer that is told to end in good order (%s) leaves it stopped'),
    ends('a Consumer that ends by %s leaves it invalidated'),
  ),
};
