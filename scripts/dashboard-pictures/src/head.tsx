// What stands above the panels: the title, the links to the other dashboards, the variables and the time.
import { dateTimeFormat } from '@grafana/data';
import { Icon, Stack, useTheme2 } from '@grafana/ui';

import type { Picture } from './picture';

export function Head({ picture }: { picture: Picture }) {
  const theme = useTheme2();
  const chosen = picture.dashboard.templating.list.filter(({ name, hide }) => name in picture.variables && hide !== 2);
  const time = (seconds: number) => dateTimeFormat(seconds * 1000, { timeZone: 'utc', format: 'YYYY-MM-DD HH:mm:ss' });
  return (
    <div style={{ padding: '12px 16px', height: 96, color: theme.colors.text.primary }}>
      <Stack justifyContent="space-between" alignItems="center">
        <span style={theme.typography.h4}>{picture.dashboard.title}</span>
        <Stack gap={1} alignItems="center">
          {picture.titles.map((title) => (
            <Chip key={title}><Icon name="external-link-alt" size="sm" /> {title}</Chip>
          ))}
        </Stack>
      </Stack>
      <div style={{ height: 8 }} />
      <Stack justifyContent="space-between" alignItems="center">
        <Stack gap={1}>
          {chosen.map(({ name, label }) => {
            const value = picture.variables[name] ?? '';
            return <Chip key={name} label={label ?? name}>{/^\.[*+]$/.test(value) ? 'All' : value}</Chip>;
          })}
        </Stack>
        <Chip><Icon name="clock-nine" size="sm" /> {time(picture.from)} to {time(picture.to)}</Chip>
      </Stack>
    </div>
  );
}

function Chip({ label, children }: { label?: string; children: React.ReactNode }) {
  const { colors, shape, typography } = useTheme2();
  const box = { padding: '4px 8px', border: `1px solid ${colors.border.medium}`, borderRadius: shape.radius.default };
  return (
    <span style={{ display: 'inline-flex', fontSize: typography.bodySmall.fontSize }}>
      {label && <b style={{ ...box, borderRight: 0, background: colors.background.secondary }}>{label}</b>}
      <span style={{ ...box, display: 'inline-flex', gap: 4, alignItems: 'center' }}>{children}</span>
    </span>
  );
}
