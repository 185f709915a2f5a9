/** A shape and its Consumer: what is taken once, what is seen when, and who is told. */
import type { Case, Held } from '../case.ts';

const consumerLog = (title: string): Held => ['actors/consumer/consumer-log.test.ts', title];
const router = (title: string): Held => ['shapes/shape-router.test.ts', title];
const service = (title: string): Held => ['service/dependent-shapes.test.ts', title];
const once = (title: string): Held => ['conformance/subqueries/once.test.ts', title];
const layout = (title: string): Held => ['service/tables/schema-changes.test.ts', title];
const consumer = (title: string): Held => ['actors/consumer/consumer.test.ts', title];
const hibernating = (title: string): Held => ['service/hibernating-shapes.test.ts', title];
const collector = (title: string): Held => ['actors/collector/shape-log-collector.test.ts', title];
const lines = (title: string): Held => ['actors/consumer/splice-lines.test.ts', title];
const dependent = (title: string): Held => ['actors/consumer/dependent-consumer.test.ts', title];
const logPorts = (title: string): Held => ['storage/log/log-ports.test.ts', title];
const values = (title: string): Held => ['actors/link-values.test.ts', title];
const routing = (title: string): Held => ['shapes/subquery-routing.test.ts', title];
const converter = (title: string): Held => ['shapes/change-converter.test.ts', title];
const held = (says: string, ...heldBy: readonly Held[]): Case => ({ says, heldBy });
const NO_SUSPENSION =
  'Nothing is suspended here: a Consumer that waits hibernates in place and costs a few hundred bytes, so no process goes and comes back';
const NO_COLLECTION =
  'V8 has no collection of one process: all share one heap, and what a table keeps is bounded and counted instead';
const leftOut = (says: string, why: string): Case => ({ says, leftOut: why });

export const CONSUMER: Readonly<Record<string, Case>> = {
  'C-01': held(
    'what the first rows did not see is appended, and told of that shape alone',
    consumerLog('a transaction that the snapshot saw is left out, one behind it is taken'),
    ['api/shape-listeners.test.ts', 'an announcement wakes those who wait at or behind it, of that shape alone'],
  ),
  'C-02': held(
    'a transaction on several tables',
    router('of a transaction on several tables each shape gets the changes of its own, and nobody those of a table without shapes'),
  ),
  'C-03': held(
    'a row that one of two filters takes',
    ['service/thousand-shapes.test.ts', 'afterwards every shape has its own row and no other'],
    ['shapes/changes-model.test.ts', 'no shape misses a change that its filter takes before or after'],
  ),
  'C-04': held('a truncate', service('the children are truncated'), consumerLog('a truncate')),
  'C-05': held('a truncate of a shape with a filter', service('the parents are truncated')),
  'C-06': held('a new end is told to who listens', consumerLog('a new end is announced once, when it can be read')),
  'C-07': held('a layout that is told again', once('a layout that the stream tells again, and is what it was, ends nobody')),
  'C-08': held('a table is renamed', layout('a table is renamed: over, and found under its new name alone')),
  'C-09': held(
    'a column gets another type',
    layout('a column gets another type: over for whoever reads it, and its values come as they are now'),
  ),
  'C-10': held(
    'who waits at a shape that ends is led on',
    ['api/shape-listeners.test.ts', 'a rotation names the successor, and those who must look for one share what they find'],
    ['http/live.test.ts', 'a rotation that has a successor already names it'],
  ),
  'C-11': held(
    'a message that nobody expects',
    once('a Consumer that is told $what ends its shape and those that depend on it, and no other'),
  ),
  'C-12': held(
    'a transaction that comes twice',
    consumerLog('a transaction whose lines its log has is taken once, though its position lies before it'),
  ),
  'C-13': held(
    'a transaction that comes again after a restart',
    consumerLog('what was taken before a restart is left out, also when the snapshot no longer filters'),
    consumerLog('after a restart of a service that was %s, the same log gives the same end'),
  ),
  'C-14': held('parts that come twice', ['storage/shapes/shape-logs.test.ts', 'a replay adds only what is new']),
  'C-15': held(
    'a transaction in parts that comes again after a restart',
    consumerLog('a Consumer that begins anew takes a transaction in parts from its beginning'),
  ),
  'C-16': held(
    'what comes before the snapshot is known waits for it',
    consumer('what is offered before the snapshot is known is kept as a position, from the registration on'),
    consumerLog('the snapshot filters what was logged before it, also behind a transaction that it does not see (%s)'),
  ),
  'C-17': held('the same of parts', consumerLog('a transaction in parts that the snapshot saw leaves nothing')),
  'C-18': held(
    'one below xmin, one in progress, one that was seen',
    consumerLog('below xmax, and running'),
    consumerLog('a shape holds the log back until its Consumer has caught up, and goes along from then on though nothing touches it'),
  ),
  'C-19': held(
    'a shape that has its snapshot alone comes back',
    ['storage/shapes/shape-logs.test.ts', 'the end of the snapshot is the end of the log until something is replicated'],
    ['storage/log/recovery.test.ts', 'gives back a shape, byte for byte'],
  ),
  'C-20': held(
    'a transaction whose last change is none of the shape’s',
    consumerLog('the line that is the last is marked, also when the parts behind it bring nothing'),
    consumerLog('the end of a transaction in parts shows what the shape has of it, also when its last part brings nothing'),
  ),
  'C-21': held(
    'what the snapshot saw counts as taken',
    consumerLog('what was taken before a restart is left out, also when the snapshot no longer filters'),
    ['storage/shapes/pace.test.ts', 'a shape that takes what the others have goes along from then on'],
  ),
  'C-22': held('who has nothing to do rests', hibernating('a change arrives live, and so does each that comes after another rest')),
  'C-23': held(
    'a shape that depends on others rests, and is there',
    hibernating('a move wakes a Materializer, and the outer shape that depends on it, as often as it comes'),
  ),
  'C-24': leftOut('a transaction is open: not suspended', NO_SUSPENSION),
  'C-25': leftOut('suspension is turned on for those who run', NO_SUSPENSION),
  'C-26': leftOut('rest comes before suspension', NO_SUSPENSION),
  'C-27': held('a message comes to who rests', hibernating('a change arrives live, and so does each that comes after another rest')),
  'C-28': leftOut('offsets are to be flushed: not suspended', NO_SUSPENSION),
  'C-29': leftOut('a flush is due: not suspended', NO_SUSPENSION),
  'C-30': leftOut(
    'a log is compacted',
    
    'A log is not compacted: it would have to merge updates over moves and changes of tags. A chunk that ' +
    'is full never changes, and caches rely on that.',
  ),
  'C-31': held(
    'a Consumer that ends leaves nothing in memory',
    consumerLog('a Consumer that ends leaves nothing loaded'),
    consumerLog('lines that an earlier Consumer did not publish are forgotten'),
  ),
  'C-32': held(
    'parts are written at once and seen at the end',
    consumerLog('a transaction in parts is seen when its last part has come, whole, with one last line'),
  ),
  'C-33': held(
    'the end brings nothing of the shape’s',
    consumerLog('the end of a transaction in parts shows what the shape has of it, also when its last part brings nothing'),
  ),
  'C-34': held(
    'a part is so large that it leaves the memory before the end',
    consumerLog('of a transaction in parts the shape says each time when it holds much that nobody sees'),
    [
      'storage/shapes/shape-logs.test.ts',
      'lines that were spilled are seen by nobody before they are published, and then all of them, in their order',
    ],
  ),
  'C-35': held(
    'one of two Consumers ends, and the log goes on',
    collector('a shape whose Consumer ended with a block in hand is noted before the position passes the block'),
    ['actors/collector/log-progress.test.ts', 'a shape whose Consumer did not take what all others took stays before it'],
  ),
  'C-36': held(
    'an update behind the query of a move',
    lines('what the query saw comes before the moves, by the view before; what it did not see behind its rows, by the view after'),
  ),
  'C-37': held(
    'a query is answered before what it saw has come',
    dependent('a splice is recorded when the log has passed where the WAL of its query ended, and not before'),
  ),
  'C-38': held(
    'what it saw has come before it is answered',
    logPorts('who waits for an LSN that the log has passed already is answered, and Postgres is not asked'),
  ),
  'C-39': held(
    'a shape with a subquery is in the index',
    values('once history is applied the index lists what there may be: a value that left is listed until its move is forgotten'),
  ),
  'C-40': held(
    'a value that comes is in the index before and behind the splice',
    routing('whatever comes and goes, exactly those shapes are found whose filter takes the row by what its subquery may select'),
  ),
  'C-41': held(
    'a shape that is gone is in no index',
    routing('a shape that was removed is brought nothing that its subquery selects'),
    ['shapes/member-index.test.ts', 'a value is held by the columns that list it, one or several, until each takes it out or ends'],
  ),
  'C-42': held('who follows it has ended', consumer('a Materializer that has ended is told of no append any more')),
  'C-43': leftOut('options of a process', NO_COLLECTION),
  'C-44': leftOut('a forced collection: none without a threshold', NO_COLLECTION),
  'C-45': leftOut('never collected yet', NO_COLLECTION),
  'C-46': leftOut('the interval', NO_COLLECTION),
  'C-47': leftOut('at the threshold', NO_COLLECTION),
  'C-48': leftOut('beyond it', NO_COLLECTION),
  'C-49': leftOut('behind a part', NO_COLLECTION),
  'C-50': leftOut('behind what was held back', NO_COLLECTION),
  'C-51': leftOut('none below the threshold', NO_COLLECTION),
  'C-52': held(
    'who waits for its snapshot does not hold the others up',
    consumer('what is offered while the shape waits for %s is not lost'),
  ),
  'C-53': held(
    'nor does one that makes a splice',
    dependent('a shape that goes along and hears of a move leaves the pace in the same step'),
    dependent('a move is taken at once, wherever the shape stands in a splice, and holds the splice up nowhere'),
  ),
  'C-54': held(
    'any other that is silent is left behind',
    collector('however many shapes do not come back, all of them end, and the journal names ten'),
    ['service/catching-up.test.ts', 'a shape that is held still keeps the others for a few seconds, and has everything once it goes on'],
  ),
  'C-55': leftOut('the threshold is written', NO_COLLECTION),
  'C-56': leftOut('and cleared', NO_COLLECTION),
  'C-57': held(
    'who waits for the snapshot, and how long it filters',
    consumerLog('behind the last transaction that the snapshot may have seen, nothing is filtered any more'),
    consumer('a snapshot that is given up is told to those who wait for its start, before the Consumer is gone'),
  ),
  'C-58': held(
    'offsets, and what is taken whole',
    ['actors/consumer/line-appender.test.ts', 'an operation that the log has already is dropped'],
    dependent('a shape inside a large transaction goes through that before a view changes'),
  ),
  'C-59': held(
    'one line is the last, and a truncate wins',
    converter('drops an update that changed no selected column, and marks the line before it as the last'),
    consumerLog('the log cannot go on (%s) behind %s'),
  ),
  'C-60': held(
    'a transaction that brings nothing, and an LSN alone',
    collector('a log that grew by nothing but its LSN brings that to the readers'),
    consumerLog('a part that brings the shape nothing shows nothing either'),
  ),
};
