//! ConfigMaps and Secrets that change, that are wrong, and that are missing.

use serde_json::json;

use crate::harness::*;

const CONFIG: &str = "/etc/kawal/kawal.yaml";
const SECRET: &str = "/run/secrets/kawal/doku-secret-key";

#[test]
fn a_rotated_secret_is_taken_over_by_the_running_pod() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native");
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    let newly = |body: &str| {
        Doku::new(body)
            .client(gateway::BRN, gateway::MCH_NEW_SECRET)
            .sign()
    };
    assert_eq!(newly("too early").send(door).status, 401);
    let keys = [("doku-secret-key", gateway::MCH_NEW_SECRET)];
    pod.update("Secret", "kawal", &keys);
    let kawal = pod.container("kawal");
    kawal.wait_for(|line| line["message"] == "reloaded");
    assert_eq!(newly("in time").send(door).text(), "ok");
    assert_eq!(doku("too late").send(door).status, 401);
    assert_eq!(kawal.restarts(), 0);
}

#[test]
fn a_wrong_key_stops_new_pods_and_no_running_one() {
    let Some(kubelet) = Kubelet::for_pods(2) else {
        return;
    };
    let template = Template::rendered("native");
    let pod = kubelet.start(&template);
    let wrong = template.clone().reconfigured("unmatched", "unmatchd");
    pod.update(
        "ConfigMap",
        "kawal",
        &[("kawal.yaml", &wrong.config_text())],
    );
    let kawal = pod.container("kawal");
    let refused = kawal.wait_for(|line| line["message"] == "reload refused");
    assert!(
        refused.to_string().contains("unmatchd: unknown key"),
        "{refused}"
    );
    assert!(pod.is_ready());
    let door = pod.address(&template.target_port());
    assert_eq!(doku("{}").send(door).text(), "ok");
    assert_eq!(kawal.restarts(), 0);

    let failure = refusal(&kubelet, &wrong);
    assert!(failure.contains(CONFIG), "{failure}");
    assert!(failure.contains("unmatchd: unknown key"), "{failure}");
}

#[test]
fn whoever_forgot_a_volume_or_a_key_of_it_is_told_which_file() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native");
    let key = [("secret-key", gateway::BRN_SECRET)];
    let misnamed = template.clone().with("Secret", "kawal", &key);
    let text = template.config_text();
    let elsewhere = template
        .clone()
        .with("ConfigMap", "kawal", &[("config.yaml", &text)]);
    let (no_secret, no_config) = ("/run/secrets/kawal", "/etc/kawal");
    for (template, file, instead) in [
        (
            without_volume(&template, no_secret),
            SECRET,
            "there is no folder",
        ),
        (
            without_volume(&template, no_config),
            CONFIG,
            "there is no folder",
        ),
        (misnamed, SECRET, "holds secret-key"),
        (elsewhere, CONFIG, "holds config.yaml"),
        (without_group(&template), SECRET, "it is read by user 65532"),
    ] {
        let failure = refusal(&kubelet, &template);
        assert!(failure.contains(file), "{failure}");
        assert!(failure.contains(instead), "{failure}");
    }
}

/// Whichever it is, all containers of the pod are in it.
#[test]
fn an_app_may_have_a_group_of_its_own() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let mut template = Template::rendered("native");
    template.spec["securityContext"]["fsGroup"] = 10001.into();
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    assert_eq!(doku("{}").send(door).text(), "ok");
}

/// The same, where nobody has thought of this mount.
fn without_volume(template: &Template, place: &str) -> Template {
    template.clone().container("kawal", |one| {
        let mounts = one["volumeMounts"].as_array_mut().unwrap();
        let before = mounts.len();
        mounts.retain(|mount| mount["mountPath"] != json!(place));
        assert_eq!(mounts.len(), before - 1);
    })
}

/// The same, where no group is asked for by which Kawal could read.
fn without_group(template: &Template) -> Template {
    let mut template = template.clone();
    let security = template.spec["securityContext"].as_object_mut().unwrap();
    security.remove("fsGroup").unwrap();
    template
}

/// The one line in which Kawal says why it does not start.
#[track_caller]
fn refusal(kubelet: &Kubelet, template: &Template) -> String {
    let Err(failure) = kubelet.try_start(template) else {
        panic!("it started");
    };
    assert_eq!(failure.container, "kawal", "{failure:?}");
    assert_eq!(failure.code, Some(78), "{failure:?}");
    assert!(failure.log.starts_with("kawal: "), "{failure:?}");
    assert_eq!(failure.log.lines().count(), 1, "{failure:?}");
    failure.log
}
