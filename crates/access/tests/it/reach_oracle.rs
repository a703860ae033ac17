//! `who-can` on random worlds, against an oracle that tries every account on every Application by
//! every right, and knows of the worlds only what they were made of.

use std::collections::BTreeSet;

use access::codeowners::{CodeOwners, Dialect};
use access::forge::Snapshot;
use access::policy::Policy;
use access::reach::{
    Answer, Gap, Joined, Part, Path, Question, Sources, Verb, World as In, applications_of, who_can,
};
use access::repository::{File, Options, Repository};
use evidence::people::People;
use proptest::prelude::*;

use crate::reach_naive::{Claim, Oracle, Owner};
use crate::reach_worlds::{ADDRESS, World, worlds};

const VERBS: [Verb; 6] =
    [Verb::Deploy, Verb::Merge, Verb::Sync, Verb::Override, Verb::Exec, Verb::ReadSecrets];

const CASES: u32 = 128;

/// The sources of an answer, of which one may be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Missing {
    Nothing,
    Repository,
    Objects,
    Forge,
    People,
}

pub(crate) fn ask(world: &World, question: &Question, missing: Missing) -> Answer {
    let (files, objects) = (world.files(), world.objects());
    let objects = if missing == Missing::Objects { &[][..] } else { &objects[..] };
    let all: Vec<File<'_>> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let options = Options {
        addresses: vec![ADDRESS.to_owned()],
        applications: applications_of(objects),
        ..Options::default()
    };
    let repository = Repository::read(&all, &options);
    let owners = CodeOwners::parse("CODEOWNERS", Dialect::GitHub, &files["CODEOWNERS"]);
    let forge = Snapshot::parse(world.forge.to_string().as_bytes()).unwrap();
    let people = People::from_json(world.people.to_string().as_bytes()).unwrap();
    let policy = Policy::read("countersign.yaml", world.policy().as_bytes()).policy.unwrap();
    let joined = Joined::new(Sources {
        repository: (missing != Missing::Repository).then_some(&repository),
        code_owners: Some(&owners),
        objects,
        forge: (missing != Missing::Forge).then_some(&forge),
        people: (missing != Missing::People).then_some(&people),
        policy: Some(&policy),
    });
    who_can(&joined, question)
}

/// What an answer claims. A path without Applications reaches whatever runs in a namespace.
fn claims(answer: &Answer) -> BTreeSet<Claim> {
    let mut found = BTreeSet::new();
    let mut add = |owner: &Owner, paths: &[Path]| {
        for path in paths {
            for app in path.applications.iter() {
                found.insert((
                    owner.clone(),
                    plain(&path.account),
                    path.world,
                    path.part,
                    app.clone(),
                    path.needs.clone(),
                ));
            }
        }
    };
    for person in &answer.people {
        add(&Owner::Person(person.id.clone()), &person.paths);
    }
    for holder in &answer.machines {
        add(&Owner::Machine(holder.account.clone()), &holder.paths);
    }
    for holder in &answer.unmapped {
        add(&Owner::Unmapped(plain(&holder.account)), &holder.paths);
    }
    found
}

/// Whether a name may be a group's too hangs on what is asked for, and is not weighed here.
fn plain(account: &str) -> String {
    account.replace("group or subject", "subject")
}

fn owners(answer: &Answer) -> BTreeSet<Owner> {
    let people = answer.people.iter().map(|p| Owner::Person(p.id.clone()));
    let machines = answer.machines.iter().map(|h| Owner::Machine(h.account.clone()));
    let unmapped = answer.unmapped.iter().map(|h| Owner::Unmapped(plain(&h.account)));
    people.chain(machines).chain(unmapped).collect()
}

fn questions(world: &World) -> Vec<Question> {
    let mut all = Vec::new();
    for verb in VERBS {
        all.push(Question { verb, environment: None, application: None });
        let application = Some(world.apps[0].name.to_owned());
        all.push(Question { verb, environment: None, application });
    }
    all
}

fn agree(world: &World) -> Result<(), TestCaseError> {
    for question in questions(world) {
        let answer = ask(world, &question, Missing::Nothing);
        let oracle = Oracle::of(world, &question);
        let (found, expected) = (claims(&answer), &oracle.claims);
        let named = |claim: &&Claim| !claim.4.is_empty();
        let wrong: Vec<_> =
            found.difference(expected).filter(|claim| !oracle.spare.contains(claim)).collect();
        let missed: Vec<_> = expected.difference(&found).filter(named).collect();
        prop_assert!(
            wrong.is_empty() && missed.is_empty(),
            "{question:?}\nclaimed and not so: {wrong:#?}\nso and not claimed: {missed:#?}"
        );
        let spare: BTreeSet<Owner> = oracle.spare.iter().map(|claim| claim.0.clone()).collect();
        let mut told = owners(&answer);
        told.retain(|owner| oracle.owners.contains(owner) || !spare.contains(owner));
        prop_assert_eq!(&told, &oracle.owners, "{:?}", question);
        for person in &answer.people {
            prop_assert_eq!(person.alone.is_some(), oracle.alone(&person.id), "{}", person.id);
        }
        let people: BTreeSet<&str> = answer.people.iter().map(|p| p.id.as_str()).collect();
        prop_assert_eq!(people.len(), answer.people.len(), "a person is counted once");
        let told = |what: &str, why: &str| {
            let is_it = |gap: &&Gap| gap.what == what && gap.why.contains(why);
            answer.undetermined.iter().any(|gap| is_it(&gap))
        };
        for why in &oracle.unknown {
            let told = answer.undetermined.iter().any(|gap| gap.why == *why);
            prop_assert!(told, "{question:?} {why}: {:#?}", answer.undetermined);
        }
        for app in oracle.nowhere() {
            let what = format!("rights in the namespace of {}", app.name);
            prop_assert!(told(&what, "destination"), "{}", what);
        }
        for (world, id) in &oracle.unsure {
            let what = match world {
                In::ArgoCd => format!("rights in Argo CD of {id}"),
                _ => format!("rights in the cluster of {id}"),
            };
            prop_assert!(told(&what, ""), "{question:?} {what}: {:#?}", answer.undetermined);
        }
    }
    Ok(())
}

/// Whatever is left out is named, and whoever was told by the rest is still told.
fn incomplete(world: &World, missing: Missing) -> Result<(), TestCaseError> {
    let what: &[&str] = match missing {
        Missing::Nothing => &[],
        Missing::Repository => &["which files are deployed"],
        Missing::Forge => &["who can merge and push"],
        Missing::People => &["whose accounts these are"],
        Missing::Objects => &["who can sync", "who can go around Argo CD"],
    };
    let question = Question { verb: Verb::Deploy, environment: None, application: None };
    let (whole, part) = (ask(world, &question, Missing::Nothing), ask(world, &question, missing));
    for what in what {
        let told = part.undetermined.iter().any(|gap| gap.what == *what);
        prop_assert!(told, "{missing:?}: {:#?}", part.undetermined);
    }
    let worlds: &[In] = match missing {
        Missing::Forge => &[In::ArgoCd, In::Cluster],
        Missing::People => &[In::Forge, In::ArgoCd, In::Cluster],
        _ => return Ok(()),
    };
    // Without the map, the same accounts are claimed for nobody.
    let accounts = |answer: &Answer| -> BTreeSet<(In, Part, String)> {
        let all = claims(answer).into_iter();
        let direct = all.filter(|claim| claim.3 != Part::Escalation && worlds.contains(&claim.2));
        direct.map(|claim| (claim.2, claim.3, claim.4)).collect()
    };
    let (before, after) = (accounts(&whole), accounts(&part));
    let lost: Vec<_> = before.difference(&after).collect();
    prop_assert!(lost.is_empty(), "{missing:?}: {lost:?}");
    Ok(())
}

/// A few seconds' worth, unless the environment asks for more.
fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    if asked { ProptestConfig::default() } else { ProptestConfig::with_cases(CASES) }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn who_can_is_what_every_evaluator_allows_and_nothing_is_missing(world in worlds()) {
        agree(&world)?;
    }

    #[test]
    fn what_is_left_out_makes_nobody_harmless(
        world in worlds(),
        missing in prop::sample::select(
            &[Missing::Repository, Missing::Objects, Missing::Forge, Missing::People][..]
        ),
    ) {
        incomplete(&world, missing)?;
    }
}
