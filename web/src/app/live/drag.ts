// Dragging a camera, from the list or from a tile, into a tile. A camera stands on the wall once, so its token says all.

import type { TargetedDragEvent } from 'preact';
import { show, swap, layout, said } from './wall';
import { placeOf } from './layout';

const TYPE = 'application/x-h5edge-camera';

export function drag(event: TargetedDragEvent<HTMLElement>, token: string): void {
  if (!event.dataTransfer) return;
  event.dataTransfer.setData(TYPE, token);
  event.dataTransfer.effectAllowed = 'move';
  said.value = '';
}

/** Whether it is a camera that is held over the place; allows the drop. */
export function over(event: TargetedDragEvent<HTMLElement>): boolean {
  const ours = event.dataTransfer?.types.includes(TYPE) ?? false;
  if (ours) event.preventDefault();
  return ours;
}

export function drop(event: TargetedDragEvent<HTMLElement>, place: number): void {
  const token = event.dataTransfer?.getData(TYPE);
  if (!token) return;
  event.preventDefault();
  const from = placeOf(layout.value, token);
  if (from >= 0) swap(from, place);
  else show(token, place);
}
