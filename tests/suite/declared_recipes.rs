//! Known answers of recipes, each through a scheme that follows it, built in or declared.

use serde::Deserialize;
use serde_json::json;

use crate::harness::declared::{CASHFREE, IFORTEPAY, KOMERCE};
use crate::harness::hashes::sha256_hex;
use crate::harness::{App, Config, Kawal, Request, vector, vectors};

type Vector = vector::Vector<Expected>;

#[derive(Deserialize)]
struct Expected {
    signature: Option<String>,
}

/// A recipe, the scheme that follows it, and where its signature goes.
struct Recipe {
    vector: &'static str,
    scheme: &'static str,
    /// None where it is built in.
    declared: Option<&'static str>,
    /// Whether its time is an old one.
    timed: bool,
    request: fn(&Vector) -> Request,
}

impl Recipe {
    const fn of(
        vector: &'static str,
        scheme: &'static str,
        request: fn(&Vector) -> Request,
    ) -> Self {
        Self {
            vector,
            scheme,
            declared: None,
            timed: false,
            request,
        }
    }

    const fn declared(mut self, yaml: &'static str) -> Self {
        self.declared = Some(yaml);
        self
    }

    const fn timed(mut self) -> Self {
        self.timed = true;
        self
    }
}

const RECIPES: [Recipe; 8] = [
    Recipe::of("static-header", "pivot", |v| {
        Request::post("/hook", v.input("body")).header("X-API-Key", v.input("value"))
    }),
    Recipe::of("static-header", "xendit", |v| {
        Request::post("/hook", v.input("body")).header("x-callback-token", v.input("value"))
    }),
    Recipe::of("hmac-sha256-hex-body", "razorpay", |v| {
        signed(v, "X-Razorpay-Signature")
    }),
    Recipe::of("hmac-sha256-hex-body", "tripay", |v| {
        signed(v, "X-Callback-Signature")
    }),
    Recipe::of("hmac-sha256-hex-body", "komerce", |v| {
        signed(v, "X-Callback-Api-Key")
    })
    .declared(KOMERCE),
    Recipe::of("hmac-sha256-hex-body-with-prefix", "github", |v| {
        signed(v, v.input("header"))
    }),
    Recipe::of("hmac-sha256-base64-timestamp-body", "cashfree", |v| {
        signed(v, v.input("header")).header(v.input("timestamp_header"), v.input("timestamp"))
    })
    .declared(CASHFREE)
    .timed(),
    Recipe::of(
        "hmac-sha512-base64-url-version-digest-timestamp",
        "ifortepay",
        |v| {
            signed(v, v.input("header"))
                .header("X-VERSION", v.input("version"))
                .header("X-TIMESTAMP", v.input("timestamp"))
        },
    )
    .declared(IFORTEPAY)
    .timed(),
];

fn signed(vector: &Vector, header: &str) -> Request {
    Request::post("/hook", vector.input("body")).header(header, signature(vector))
}

fn signature(vector: &Vector) -> &str {
    vector.expected.signature.as_deref().unwrap()
}

#[test]
fn known_recipes_are_admitted() {
    let table = vectors::<Expected>("gateways.json", 26);
    for recipe in RECIPES {
        let name = format!("{} as {}", recipe.vector, recipe.scheme);
        let vector = table.iter().find(|v| v.name == recipe.vector).unwrap();
        assert_eq!(vector.scheme, "declared", "{name}");
        let app = App::start();
        let config = Config::new(&app);
        let key = config.secret("recipe", vector.input("secret"));
        let mut config = config
            .gateway(
                "recipe",
                json!({"scheme": recipe.scheme, "clients": [{"secrets": [key]}]}),
            )
            .route(json!({"path": "/hook", "gateway": "recipe"}));
        if let Some(yaml) = recipe.declared {
            config = config.declare(recipe.scheme, yaml);
        }
        if recipe.timed {
            config = config.patient("recipe");
        }
        let kawal = Kawal::start(config);

        let genuine = (recipe.request)(vector);
        let mut forged = genuine.clone();
        let text = String::from_utf8(forged.body.clone()).unwrap();
        let other = text.replace("10001", "10002");
        forged.body = other.into_bytes();
        // A key that is all there is covers no body.
        for header in ["X-API-Key", "x-callback-token"] {
            if genuine.headers.iter().any(|(name, _)| name == header) {
                forged = forged.replace(header, "cb_key_synthetic_0002");
            }
        }
        assert_eq!(kawal.send(&forged).status, 401, "{name}");
        assert_eq!(app.count(), 0, "{name}: a forgery reached the app");
        let answer = kawal.send(&genuine);
        assert_eq!(answer.status, 200, "{name}: {}", kawal.output());
        assert_eq!(app.count(), 1, "{name}");
    }
}

/// The others are in the table as whole requests, or have a key that Kawal finds too short.
#[test]
fn the_other_recipes_are_followed_elsewhere() {
    let table = vectors::<Expected>("gateways.json", 26);
    let find = |name: &str| table.iter().find(|v| v.name == name).unwrap();
    let adyen = find("adyen-published-example");
    let recipe = find("hmac-sha256-base64-joined-fields-hex-key");
    assert!(adyen.input("body").contains(signature(recipe)));
    let nicepay = find("digest-sha256-hex-joined-fields");
    let joined = ["iMid", "tXid", "amt", "secret"].map(|name| nicepay.input(name));
    assert_eq!(sha256_hex(&joined.concat()), signature(nicepay));
    let recipes = table.iter().filter(|v| v.scheme == "declared");
    let followed = |v: &&Vector| RECIPES.iter().any(|recipe| recipe.vector == v.name);
    let left: Vec<_> = recipes.filter(|v| !followed(v)).collect();
    assert_eq!(left.len(), 2, "a recipe is followed nowhere");
}
