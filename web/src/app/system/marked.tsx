// The reference's texts, in which names stand between backticks.

export function Marked({ text }: { text: string }) {
  return <span>{text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</span>;
}
