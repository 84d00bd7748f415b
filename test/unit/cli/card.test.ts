import { describe, expect, it } from 'vitest';
import { toCard, widthOf, wrap } from '../../../cli/card.ts';
import type { Push } from '../../../cli/card.ts';

const push: Push = {
  title: '🔴 HighErrorRate · shop/checkout',
  body: `Critical · 3 alerts\n${'long words and '.repeat(12)}\nhttps://runbooks.example.org/${'x'.repeat(120)}\n日本語 テスト`,
  severity: 'critical',
  priority: 'high',
  resolved: false,
  link: 'http://127.0.0.1:8080/api/v1/issues/v1:00000000000000000000000000000000',
};
const plain = (_colour: unknown, text: string): string => text;

describe('toCard', () => {
  it('is a box whose lines are all equally wide and fit 80 columns', () => {
    const widths = toCard(push, 12, '02:14', plain).split('\n').map(widthOf);
    expect(new Set(widths)).toEqual(new Set([78]));
  });

  it('shows number, sound, time, title, text and link', () => {
    const card = toCard(push, 12, '02:14', plain);
    expect(card).toContain('push 12 · loud');
    expect(card).toContain('02:14 ─╮');
    expect(card).toContain('│ 🔴 HighErrorRate · shop/checkout ');
    expect(card).toContain(push.link);
  });

  it('paints the edge in the colour of the severity, and green when it is over', () => {
    const colours = (over: Partial<Push>): unknown[] => {
      const used: unknown[] = [];
      toCard({ ...push, ...over }, 1, '02:14', (colour, text) => {
        used.push(colour);
        return text;
      });
      return [...new Set(used)].filter((colour) => colour !== 'bold' && colour !== 'dim');
    };
    expect(colours({})).toEqual(['red']);
    expect(colours({ severity: 'warning' })).toEqual(['yellow']);
    expect(colours({ resolved: true })).toEqual(['green']);
  });
});

describe('wrap', () => {
  it('breaks at spaces and splits only words that are longer than a line', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('a abcdefgh', 4)).toEqual(['a', 'abcd', 'efgh']);
    expect(wrap('', 8)).toEqual(['']);
  });
});
