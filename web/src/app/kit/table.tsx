// Tables: sorted by a press on a column's head, searched, and stacked on a phone.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

export interface Column<T> {
  title: string;
  /** Stands in the head instead of the title. */
  head?: ComponentChildren;
  cell: (row: T) => ComponentChildren;
  /** What it is sorted by; without it, it is not. */
  by?: (row: T) => string | number;
  /** Short words, which are not broken however long other columns are. */
  whole?: boolean;
}

interface TableProps<T> {
  /** For screen readers. */
  label: string;
  rows: readonly T[];
  id: (row: T) => string;
  columns: readonly Column<T>[];
  /** What stands there without rows. */
  empty: string;
  /** How many rows are shown, the first as they are sorted; all without it. */
  most?: number;
}

export function Table<T>({ label, rows, id, columns, empty, most }: TableProps<T>) {
  const [sort, setSort] = useState<{ column: number; down: boolean }>();
  const by = sort && columns[sort.column]?.by;
  const sorted = by ? [...rows].sort((a, b) => compare(by(a), by(b)) * (sort.down ? -1 : 1)) : rows;
  const shown = sorted.slice(0, most);
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <table aria-label={label}>
      <thead>
        <tr>
          {columns.map((column, index) => (
            <th key={column.title} scope="col" aria-sort={sort?.column === index ? (sort.down ? 'descending' : 'ascending') : undefined}>
              {column.by ? (
                <button type="button" class="sort" onClick={() => setSort({ column: index, down: sort?.column === index && !sort.down })}>
                  {column.title}
                </button>
              ) : (
                (column.head ?? column.title)
              )}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr key={id(row)}>
            {columns.map((column) => (
              <td key={column.title} class={column.whole ? 'whole' : undefined} data-title={column.title}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}
