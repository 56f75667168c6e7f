// Above the wall: the cameras' list, the grid, views and tours, full screen, help.

import { useSignal } from '@preact/signals';
import { Button, Choice, Dialog, Form, Select } from '../kit';
import { t } from '../text';
import { canBeFull, toggleFull } from './full';
import { MOST_ACROSS } from './layout';
import { TourStrip, Views } from './views';
import * as wall from './wall';

const SQUARES = [1, 2, 3, 4];
const OTHER = 'other';

interface ToolbarProps {
  /** Whether the list is seen. */
  list: boolean;
  onList: () => void;
  onHelp: () => void;
}

export function Toolbar({ list, onList, onHelp }: ToolbarProps) {
  const custom = useSignal(false);
  const { cols, rows } = wall.layout.value.grid;
  const square = cols === rows && SQUARES.includes(cols) ? String(cols) : OTHER;
  const grids = [...SQUARES.map((side) => [String(side), String(side * side)] as const), [OTHER, square === OTHER ? `${cols} × ${rows}` : t('live.grid_other')] as const];
  const pick = (value: string) => {
    if (value === OTHER) custom.value = true;
    else wall.setGrid({ cols: Number(value), rows: Number(value) });
  };
  return (
    <div class="toolbar">
      <Button icon="menu" pressed={list} onPress={onList}>
        {t('live.cameras')}
      </Button>
      <Choice label={t('live.grid')} value={square} options={grids} onPick={pick} />
      {square === OTHER && <Button icon="edit" label={t('live.grid_title')} onPress={() => (custom.value = true)} />}
      <Views />
      <TourStrip />
      <span class="space" />
      <Button kind="quiet" icon="help" label={t('live.help')} class="keys-help" onPress={onHelp} />
      {canBeFull && <Button kind="quiet" icon="full" label={t('live.full')} onPress={() => toggleFull()} />}
      {custom.value && <GridDialog onClose={() => (custom.value = false)} />}
    </div>
  );
}

function GridDialog({ onClose }: { onClose: () => void }) {
  const { cols, rows } = wall.layout.value.grid;
  const counts = Array.from({ length: MOST_ACROSS }, (_, n) => [String(n + 1), String(n + 1)] as const);
  return (
    <Dialog title={t('live.grid_title')} onClose={onClose}>
      <Form
        send={t('live.grid_set')}
        onCancel={onClose}
        onSend={async (values) => {
          wall.setGrid({ cols: Number(values['cols']), rows: Number(values['rows']) });
          onClose();
        }}
      >
        <div class="pair">
          <Select label={t('live.columns')} name="cols" value={String(cols)} options={counts} />
          <Select label={t('live.rows')} name="rows" value={String(rows)} options={counts} />
        </div>
      </Form>
    </Dialog>
  );
}
