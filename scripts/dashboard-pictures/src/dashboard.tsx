// The page of a dashboard: its head, and its panels on the grid of 24 columns, measured as Grafana measures it.
import { type DataFrame, dateTime, type TimeRange } from '@grafana/data';
import { Icon, PanelChrome, useTheme2 } from '@grafana/ui';

import { Head } from './head';
import { type Shown, Visualization } from './panels';
import type { Panel, Picture } from './picture';

const COLUMNS = 24;
const LINE = 30;
const GAP = 8;
const MARGIN = 16;

// Panels that have something to show without data too.
const SAYS_SO_ITSELF = new Set(['bargauge', 'gauge', 'stat', 'text']);

interface Prepared {
  panel: Panel;
  frames: DataFrame[];
}

export function Dashboard({ picture, panels }: { picture: Picture; panels: Prepared[] }) {
  const [from, to] = [dateTime(picture.from * 1000), dateTime(picture.to * 1000)];
  const range: TimeRange = { from, to, raw: { from, to } };
  const column = (window.innerWidth - 2 * MARGIN + GAP) / COLUMNS;
  return (
    <>
      <Head picture={picture} />
      <div style={{ position: 'relative', margin: `0 ${MARGIN}px` }}>
        {panels.map(({ panel, frames }) => {
          const { x, y, w, h } = panel.gridPos;
          const [width, height] = [Math.floor(w * column - GAP), h * (LINE + GAP) - GAP];
          return (
            <div key={panel.id} style={{ position: 'absolute', left: x * column, top: y * (LINE + GAP), width, height }}>
              {panel.type === 'row' ? <Row title={panel.title} /> : <Box {...{ panel, frames, range, picture, width, height }} />}
            </div>
          );
        })}
      </div>
    </>
  );
}

function Row({ title }: { title?: string }) {
  const theme = useTheme2();
  return (
    <div style={{ display: 'flex', alignItems: 'center', gap: 8, height: '100%', ...theme.typography.h5, margin: 0 }}>
      <Icon name="angle-down" /> {title}
    </div>
  );
}

function Box({ width, height, ...shown }: Omit<Shown, 'theme'>) {
  const theme = useTheme2();
  const { panel, frames } = shown;
  const empty = !SAYS_SO_ITSELF.has(panel.type) && frames.every((frame) => frame.length === 0);
  return (
    <PanelChrome
      title={panel.title}
      description={panel.description}
      padding={panel.type === 'stat' ? 'none' : 'md'}
      displayMode={panel.transparent ? 'transparent' : 'default'}
      width={width}
      height={height}
    >
      {(width, height) =>
        empty ? (
          <div style={{ height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary }}>
            {panel.fieldConfig?.defaults.noValue ?? 'No data'}
          </div>
        ) : (
          <Visualization {...shown} {...{ width, height, theme }} />
        )
      }
    </PanelChrome>
  );
}
