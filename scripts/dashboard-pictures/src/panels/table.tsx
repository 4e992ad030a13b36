import { TableNG } from '@grafana/ui/unstable';

import type { Shown } from '.';

export function TablePanel({ frames, panel, width, height, range }: Shown) {
  const [frame] = frames;
  return frame ? (
    <TableNG
      {...{ width, height }}
      data={frame}
      timeRange={range}
      noHeader={panel.options?.showHeader === false}
      cellHeight={panel.options?.cellHeight}
      sortBy={panel.options?.sortBy}
      fieldConfig={panel.fieldConfig}
      enableVirtualization={false}
      noValue={panel.fieldConfig?.defaults.noValue}
    />
  ) : null;
}
