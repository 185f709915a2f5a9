/** What a look-up costs, and that it names each shape once; which ones it names is tried in `subquery-routing.test.ts`. */
import { expect, test } from 'vitest';
import { MemberIndex } from '../../src/shapes/member-index.ts';
import { SubqueryIndex } from '../../src/shapes/subquery-index.ts';

/** Counts how often it is asked about one key. */
class CountedMembers extends MemberIndex {
  asked = 0;

  override isListed(key: string): boolean {
    this.asked += 1;
    return super.isListed(key);
  }

  override mayHold(key: string, value: string): boolean {
    this.asked += 1;
    return super.mayHold(key, value);
  }
}

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key ${index}`);

/** A thousand shapes, each with a subquery of its own that selects one value. */
function filled() {
  const members = new CountedMembers();
  const index = new SubqueryIndex<string>(members);
  for (const key of KEYS) {
    index.add(key, `shape of ${key}`);
    members.listing(key).begin([`value of ${key}`]);
  }
  const look = (value: string) => {
    members.asked = 0;
    return { found: [...index.of(value)], asked: members.asked };
  };
  look('nobody’s');
  return { members, index, look };
}

test('a value is looked up at the cost of those that hold it', () => {
  const { look } = filled();

  expect(look('value of key 7')).toEqual({ found: ['shape of key 7'], asked: 0 });
});

test.each<[string, number, number]>([
  ['it alone is looked at, until it is listed again', 0, 1],
  ['and so many others that nobody knows which, all are looked at anew once', 2_000, KEYS.length],
])('when a column has ended %s', (_, others, asked) => {
  const { members, look } = filled();
  members.listing('key 7').end(['value of key 7']);
  for (let count = 0; count < others; count += 1) members.listing('of no shape').end([]);
  const looks = [look('value of key 8'), look('value of key 8')];
  members.listing('key 7').begin(['value of key 7']);
  looks.push(look('value of key 8'), look('value of key 8'));

  const [doubted, found] = [['shape of key 7', 'shape of key 8'], ['shape of key 8']];
  expect(looks).toEqual([{ found: doubted, asked }, { found: doubted, asked: 1 }, { found, asked: 1 }, { found, asked: 0 }]);
});

test('a subquery that no shape has any more is not looked at', () => {
  const { index, look } = filled();
  index.add('not listed', 'a shape');
  index.remove('not listed', 'a shape');

  expect(look('nobody’s')).toEqual({ found: [], asked: 0 });
});

test('where more columns hold a value than there are shapes, each shape is named once all the same', () => {
  const members = new MemberIndex();
  const index = new SubqueryIndex<string>(members);
  for (const key of KEYS) members.listing(key).begin(['everybody’s']);
  for (const key of ['key 1', 'not listed']) index.add(key, `shape of ${key}`);

  expect([...index.of('everybody’s')].sort()).toEqual(['shape of key 1', 'shape of not listed']);
});

test('of the columns that are asked those of its shapes are, from then on and until they end', () => {
  const members = new MemberIndex();
  const index = new SubqueryIndex<string>(members);
  const asked: string[] = [];
  const beAsked = (key: string) => {
    const mayHave = () => {
      asked.push(key);
      return true;
    };
    members.listing(key).begin([]);
    members.listing(key).beAsked(mayHave, []);
  };
  const look = () => [[...index.of('a')], asked.splice(0)];
  beAsked('before');
  for (const key of ['before', 'behind', 'dropped']) index.add(key, `shape of ${key}`);
  for (const key of ['of another table', 'behind', 'dropped']) beAsked(key);
  index.remove('dropped', 'shape of dropped');
  const looks = [look()];
  members.listing('behind').end([]);
  looks.push(look());
  members.listing('behind').begin([]);
  looks.push(look());

  expect(looks).toEqual([
    [['shape of before', 'shape of behind'], ['before', 'behind']], [['shape of behind', 'shape of before'], ['before']],
    [['shape of before'], ['before']],
  ]);
});
