//! A drawing in SVG: what its shapes and words look like, in light and in dark.

use std::fmt::{Display, Write};

/// The width that a page of a repository shows without making it smaller.
pub(crate) const WIDTH: f64 = 830.0;

/// The colours have names, so that the dark can have others. Everything stands on a ground of its own,
/// readable also where the page around it is of the other kind.
const STYLE: &str = "\
.ground{fill:#fff;stroke:#d0d7de}\
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.small{font-size:11px;fill:#59636e}\
.head{font-weight:600}\
.end{text-anchor:end}\
.middle{text-anchor:middle}\
.rule{stroke:#d0d7de;stroke-width:1;fill:none}\
.reach{stroke:#1f2328;stroke-width:1}\
.peer1{fill:#57606a}.peer2{fill:#afb8c1}\
.ours1{fill:#0b6e4f}.ours2{fill:#74c69d}\
.line{stroke:#0b6e4f;stroke-width:2;fill:none}\
.band{fill:#0b6e4f;opacity:.18}\
.other{stroke:#57606a;stroke-width:1.5;stroke-dasharray:4 3;fill:none}\
@media(prefers-color-scheme:dark){\
.ground{fill:#0d1117;stroke:#3d444d}\
text{fill:#f0f6fc}.small{fill:#9198a1}\
.rule{stroke:#3d444d}.reach{stroke:#f0f6fc}\
.peer1{fill:#9198a1}.peer2{fill:#59636e}\
.ours1{fill:#3fb68b}.ours2{fill:#1d6b50}\
.line{stroke:#3fb68b}.band{fill:#3fb68b}.other{stroke:#9198a1}}";

/// A drawing that grows downwards.
pub(crate) struct Svg {
    shapes: String,
}

impl Svg {
    pub(crate) fn new() -> Self {
        Self {
            shapes: String::new(),
        }
    }

    pub(crate) fn text(&mut self, (x, y): (f64, f64), class: &str, text: impl Display) {
        let text = escaped(&text.to_string());
        self.shape(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{text}</text>"#
        ));
    }

    /// A bar, `height` high, whose left upper corner is given.
    pub(crate) fn bar(&mut self, (x, y): (f64, f64), width: f64, height: f64, class: &str) {
        self.shape(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" class="{class}"/>"#
        ));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.path(&[from, to], class);
    }

    /// Through all of these points.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let letter = if index == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
        }
        self.shape(format_args!(r#"<path d="{path}" class="{class}"/>"#));
    }

    fn shape(&mut self, shape: impl Display) {
        let _ = writeln!(self.shapes, "{shape}");
    }

    /// The whole file. The title and the description are for who hears it.
    pub(crate) fn finish(self, height: f64, title: &str, description: &str) -> String {
        let (title, description) = (escaped(title), escaped(description));
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0}" width="{WIDTH}" height="{height:.0}" role="img" aria-labelledby="title description">
<title id="title">{title}</title>
<desc id="description">{description}</desc>
<style>{STYLE}</style>
<rect x=".5" y=".5" width="{:.0}" height="{:.0}" rx="6" class="ground"/>
{}</svg>
"#,
            WIDTH - 1.0,
            height - 1.0,
            self.shapes
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::Svg;

    #[test]
    fn what_is_written_is_not_taken_for_shapes() {
        let mut svg = Svg::new();
        svg.text((0.0, 0.0), "small", "a < b & c");
        let file = svg.finish(10.0, "<title>", "");
        assert!(file.contains(">a &lt; b &amp; c</text>"), "{file}");
        assert!(file.contains(">&lt;title&gt;</title>"), "{file}");
    }
}
