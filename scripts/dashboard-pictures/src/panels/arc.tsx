// A gauge. @grafana/ui keeps its own to itself, so this one is drawn here: the value's arc, and the thresholds around it.
import { type FieldDisplay, formattedValueToString, type GrafanaTheme2, sortThresholds } from '@grafana/data';

interface Props {
  value: FieldDisplay;
  width: number;
  height: number;
  count: number;
  theme: GrafanaTheme2;
}

const HALF = 120; // degrees to both sides of the top

export function Arc({ value: { display, field }, width, height, count, theme }: Props) {
  const [low, high] = [field.min ?? 0, field.max ?? 100];
  const caption = count > 1 ? 18 : 0;
  const radius = Math.min(width / 2, (height - caption) / 1.5) - 4;
  const middle = { x: width / 2, y: radius + 4 };
  const share = (number: number) => Math.min(Math.max((number - low) / (high - low), 0), 1);
  const arc = (from: number, to: number, at: number) => {
    const point = (part: number) => {
      const angle = ((part * 2 * HALF - HALF) * Math.PI) / 180;
      return `${middle.x + at * Math.sin(angle)} ${middle.y - at * Math.cos(angle)}`;
    };
    return `M ${point(from)} A ${at} ${at} 0 ${(to - from) * 2 * HALF > 180 ? 1 : 0} 1 ${point(to)}`;
  };
  const steps = sortThresholds([...(field.thresholds?.steps ?? [])]);
  const thick = radius * 0.22;
  const inner = radius - 6 - thick / 2;
  return (
    <svg {...{ width, height }} fill="none" fontFamily={theme.typography.fontFamily} textAnchor="middle">
      {steps.map((step, index) => {
        const [from, to] = [share(step.value), share(steps[index + 1]?.value ?? high)];
        return from < to && (
          <path key={step.value} d={arc(from, to, radius - 2)} stroke={theme.visualization.getColorByName(step.color)} strokeWidth={3} />
        );
      })}
      <path d={arc(0, 1, inner)} stroke={theme.colors.background.secondary} strokeWidth={thick} />
      <path d={arc(0, share(display.numeric), inner)} stroke={display.color} strokeWidth={thick} />
      <text x={middle.x} y={middle.y + radius * 0.15} fill={display.color} fontSize={radius * 0.4} fontWeight={500}>
        {formattedValueToString(display)}
      </text>
      {caption > 0 && (
        <text x={middle.x} y={height - 4} fill={theme.colors.text.primary} fontSize={13}>{display.title}</text>
      )}
    </svg>
  );
}
