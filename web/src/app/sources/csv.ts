// CSV as spreadsheets write it (RFC 4180): separated by comma, semicolon or tab, quoted fields with line breaks and
// doubled quotes, any line ending, with or without a byte order mark.

export interface Line {
  /** Where it begins in the file, from 1. */
  line: number;
  cells: string[];
}

export interface Broken {
  line: number;
  why: 'quote_open' | 'quote_after';
}

export interface Csv {
  lines: Line[];
  /** Quotes that do not fit together; what follows the first is not read. */
  broken?: Broken;
}

const SEPARATORS = [',', ';', '\t'];

/** Empty lines are left out. */
export function parseCsv(text: string): Csv {
  const input = text.replace(/^\uFEFF/, '');
  const separator = separatorOf(input);
  const lines: Line[] = [];
  let row: Line = { line: 1, cells: [] };
  let cell = '';
  let at = 0;
  let line = 1;
  const endCell = () => {
    row.cells.push(cell.trim());
    cell = '';
  };
  const endLine = () => {
    endCell();
    if (row.cells.some((value) => value !== '')) lines.push(row);
  };
  while (at < input.length) {
    const sign = input.charAt(at);
    if (sign === '"' && cell.trim() === '') {
      const opened = line;
      const end = closing(input, at + 1);
      if (end < 0) return { lines, broken: { line: opened, why: 'quote_open' } };
      const quoted = input.slice(at + 1, end);
      line += breaks(quoted);
      at = end + 1;
      while (input.charAt(at) === ' ') at += 1;
      if (at < input.length && input.charAt(at) !== separator && !/[\r\n]/.test(input.charAt(at))) return { lines, broken: { line, why: 'quote_after' } };
      row.cells.push(quoted.replaceAll('""', '"'));
      cell = '';
      if (input.charAt(at) === separator) {
        at += 1;
        // A separator at the very end of a line has one more, empty, cell behind it.
        continue;
      }
      if (row.cells.some((value) => value !== '')) lines.push(row);
    } else if (sign === separator) {
      endCell();
      at += 1;
      continue;
    } else if (sign !== '\r' && sign !== '\n') {
      cell += sign;
      at += 1;
      continue;
    } else {
      endLine();
    }
    at += input.startsWith('\r\n', at) ? 2 : 1;
    line += 1;
    row = { line, cells: [] };
  }
  if (cell !== '' || row.cells.length > 0) endLine();
  return { lines };
}

/** Where the quote that was opened is closed; -1 without one. */
function closing(input: string, from: number): number {
  let at = input.indexOf('"', from);
  while (at >= 0 && input.charAt(at + 1) === '"') at = input.indexOf('"', at + 2);
  return at;
}

function breaks(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

/** The one that the first line has most of. */
function separatorOf(input: string): string {
  const [first = ''] = input.split(/[\r\n]/, 1);
  const count = (sign: string) => first.split(sign).length;
  return SEPARATORS.reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

/** Comma and CRLF, with the mark by which spreadsheets know UTF-8. */
export function writeCsv(rows: readonly (readonly string[])[]): string {
  const quoted = (cell: string) => (/[",;\t\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return `\uFEFF${rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('')}`;
}

/** The text of a file: UTF-8, UTF-16 with its mark, or what Chinese spreadsheets write. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}
