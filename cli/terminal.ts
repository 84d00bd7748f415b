/** What the terminal can do, and what may not reach it. */
import { stripVTControlCharacters, styleText } from 'node:util';
import type { Paint } from './card.ts';

/** Colours where standard output is a terminal that wants them (NO_COLOR, FORCE_COLOR), else nothing. */
export const paint: Paint = (colour, text) =>
  styleText(colour, text, { stream: process.stdout, validateStream: true });

/** One line without control characters, so that text from outside cannot steer the terminal. */
export function cleanLine(text: string, maxChars: number): string {
  const line = stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ');
  return line.length > maxChars ? `${line.slice(0, maxChars - 1)}…` : line;
}
