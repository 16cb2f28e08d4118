//! Pages in a headless Chromium: two widths and as on paper, light and dark; axe-core finds nothing, nothing scrolls
//! sideways, nothing is asked of any other server.
//!
//! Chromium is found as `CHROMIUM` or on the path; axe-core (MPL-2.0) as the file `AXE_CORE` or
//! through npm. Where one is missing the test says so and checks what needs no browser.

use super::review::{json, leaked, page};
use lagom_serving::pages::Lang;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const WIDTHS: [u32; 2] = [1_180, 412];
/// A4 less its margins, at 96 dots an inch.
const PAPER: u32 = 718;

/// What runs inside the page: axe-core, then its findings and the widths, to the outer document.
const PROBE: &str = "<script>addEventListener('load',()=>axe.run(document).then(r=>{\
    const d=document.documentElement,out=parent.document.createElement('pre');out.className='found';\
    out.textContent=JSON.stringify({width:d.clientWidth,needs:d.scrollWidth,passes:r.passes.length,\
    dark:matchMedia('(prefers-color-scheme: dark)').matches,\
    loads:performance.getEntriesByType('resource').map(e=>e.name),\
    violations:r.violations.map(v=>v.id+': '+v.nodes.map(n=>n.html.slice(0,200)).join(' '))});\
    parent.document.body.append(out)}))</script>";

#[test]
fn the_review_page_is_in_order() {
    let good = json((1_000, 1_000), 50);
    for lang in Lang::ALL {
        in_order(&format!("review-{}", lang.code()), &page(&good, lang));
    }
    in_order("review-harm", &page(&json((1_000, 1_000), 8), Lang::En));
    in_order("review-srm", &page(&json((1_200, 1_000), 50), Lang::En));
    in_order("review-leak", &page(&leaked(), Lang::Nl));
}

/// Checks a page, in a browser where there is one.
pub(super) fn in_order(name: &str, page: &str) {
    for outside in ["http://", "https://", "src=", "url(", "<script", "@import"] {
        assert!(!page.contains(outside), "{name} holds {outside}");
    }
    let (Some(chromium), Some(axe)) = (chromium(), axe()) else {
        eprintln!("skipped: no Chromium or no axe-core for {name}");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let probed = page.replace("</body>", &format!("<script>{axe}</script>{PROBE}</body>"));
    // What the style says of paper, on a screen of its width: nothing else can be asked there.
    let printed = probed.replace("@media print", "@media all");
    assert_ne!(printed, probed, "{name} has no style for paper");
    let views = WIDTHS.map(|width| (width, &probed));
    for (width, probed) in views.into_iter().chain([(PAPER, &printed)]) {
        // A window cannot be as narrow as a phone, a frame can.
        let frame = format!(
            "<!DOCTYPE html><body><iframe style=\"border:0\" width={width} height=2000 srcdoc=\"{}\"></iframe></body>",
            probed.replace('&', "&amp;").replace('"', "&quot;")
        );
        let file = folder.path().join("page.html");
        std::fs::write(&file, frame).unwrap();
        for dark in [false, true] {
            let found = look(chromium, &file, dark);
            let what = format!("{name} at {width}, dark: {dark}: {found}");
            assert_eq!(found["dark"], dark, "{what}");
            assert_eq!(found["violations"], Value::Array(Vec::new()), "{what}");
            assert_eq!(found["loads"], Value::Array(Vec::new()), "{what}");
            assert!(found["passes"].as_u64().unwrap() > 15, "{what}");
            assert!(found["needs"].as_u64() <= found["width"].as_u64(), "{what}");
        }
    }
}

fn look(chromium: &Path, file: &Path, dark: bool) -> Value {
    let scheme = if dark { 0 } else { 1 };
    let output = Command::new(chromium)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1400,2200",
        ])
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!(
            "--user-data-dir={}",
            file.with_file_name("profile").display()
        ))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("file://{}", file.display()))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let start = dom
        .find("<pre class=\"found\">")
        .unwrap_or_else(|| panic!("nothing found in {dom}"))
        + 19;
    let text = &dom[start..start + dom[start..].find("</pre>").unwrap()];
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    serde_json::from_str(&text).unwrap()
}

fn chromium() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
        named.or_else(|| {
            let path = std::env::var_os("PATH")?;
            let names = ["chromium", "chromium-browser", "google-chrome"];
            std::env::split_paths(&path)
                .flat_map(|folder| names.map(|name| folder.join(name)))
                .find(|file| file.is_file())
        })
    });
    found.as_deref()
}

fn axe() -> Option<&'static str> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        if let Some(file) = std::env::var_os("AXE_CORE") {
            return Some(std::fs::read_to_string(file).unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        let quiet = |program: &str, args: &[&str]| {
            let mut command = Command::new(program);
            command.args(args).current_dir(folder.path());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        if !quiet("npm", &["pack", "axe-core@4.14.1"])
            || !quiet("tar", &["xzf", "axe-core-4.14.1.tgz"])
        {
            return None;
        }
        std::fs::read_to_string(folder.path().join("package/axe.min.js")).ok()
    });
    // A script that stands inside HTML must not hold the words that end it.
    found.as_deref().filter(|text| !text.contains("</script"))
}
